import { useLayoutEffect, useRef } from "react";
import { COLUMNS, type Card, type Status } from "./api";
import { Avatar } from "./Avatar";
import type { Drag } from "./drag";
import { catchUp, followCard } from "./focus";
import type { Places } from "./places";

type Props = {
  card: Card;
  isOpen: boolean;
  onOpen: (task: string) => void;
  places: Places;
  onMove: (card: Card, status: Status, after?: string) => unknown;
  drag: Drag;
};

/** A task on the board: opens on a click, and is moved by its buttons or by dragging. */
export function CardItem({
  card,
  isOpen,
  onOpen,
  places,
  onMove,
  drag,
}: Props) {
  const element = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    catchUp(card._id, element.current);
  });

  return (
    <li
      ref={element}
      className={`card${drag.isDragged(card._id) ? " dragged" : ""}`}
      data-task={card._id}
      data-drop={drag.isOver(card.status, card._id) || undefined}
      {...drag.card(card)}
    >
      <button
        className="open"
        aria-expanded={isOpen}
        onClick={() => onOpen(card._id)}
      >
        {card.title}
      </button>
      <div className="foot">
        <Assignee card={card} />
        {card.comments > 0 && <Comments count={card.comments} />}
        <div className="moves">
          {MOVES.map((direction) => (
            <button
              key={direction}
              data-move={direction}
              disabled={places[direction] === null}
              aria-label={`Move ${card.title} ${wordsFor(direction, places)}`}
              onClick={() => {
                followCard(card._id, direction);
                const { status, after } = places[direction]!;
                onMove(card, status, after);
              }}
            >
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={ARROWS[direction]} />
              </svg>
            </button>
          ))}
        </div>
      </div>
    </li>
  );
}

const MOVES = ["left", "up", "down", "right"] as const;

const ARROWS = {
  left: "M14.5 6 8.5 12l6 6",
  up: "M6 14.5 12 8.5l6 6",
  down: "M6 9.5 12 15.5l6-6",
  right: "M9.5 6l6 6-6 6",
};

function wordsFor(direction: keyof Places, places: Places): string {
  const place = places[direction];
  if (direction === "up" || direction === "down" || place === null) {
    return direction;
  }
  return `to ${COLUMNS.find(({ status }) => status === place.status)!.name}`;
}

function Assignee({ card: { assignee } }: { card: Card }) {
  if (assignee === undefined) {
    return <span className="nobody">Nobody yet</span>;
  }
  return (
    <span className="assignee">
      <Avatar name={assignee.name} />
      <span>{assignee.name}</span>
    </span>
  );
}

function Comments({ count }: { count: number }) {
  return (
    <span className="said">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4 4v-4h-.5A2.5 2.5 0 0 1 4 13.5z" />
      </svg>
      {count}
      <span className="hidden">{count === 1 ? " comment" : " comments"}</span>
    </span>
  );
}
