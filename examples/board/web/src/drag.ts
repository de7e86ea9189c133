import { useMemo, useState, type DragEvent } from "react";
import type { Card, Status } from "./api";
import type { Place } from "./places";

export type Drag = ReturnType<typeof useDrag>;

type Move = (card: Card, status: Status, after?: string) => unknown;

/** Dragging a task with a mouse: what goes onto the elements that take part, and where it would land. */
export function useDrag(move: Move) {
  const [dragged, setDragged] = useState<Card | null>(null);
  const [over, setOver] = useState<Place | null>(null);

  return useMemo(() => {
    function end() {
      setDragged(null);
      setOver(null);
    }

    return {
      /** For the element of a task. */
      card: (card: Card) => ({
        draggable: true,
        onDragStart: (event: DragEvent) => {
          event.dataTransfer.effectAllowed = "move";
          event.dataTransfer.setData("text/plain", card.title);
          setDragged(card);
        },
        onDragEnd: end,
      }),

      /** For the element of a column. */
      column: (status: Status) => ({
        onDragOver: (event: DragEvent<HTMLElement>) => {
          if (dragged === null) return;
          event.preventDefault();
          const after = cardAbove(event.currentTarget, event.clientY);
          if (over?.status !== status || over.after !== after) {
            setOver({ status, after });
          }
        },
        onDragLeave: (event: DragEvent<HTMLElement>) => {
          const into = event.relatedTarget as Node | null;
          if (!event.currentTarget.contains(into)) setOver(null);
        },
        onDrop: (event: DragEvent) => {
          event.preventDefault();
          if (dragged !== null && over !== null && over.after !== dragged._id) {
            move(dragged, over.status, over.after);
          }
          end();
        },
      }),

      isDragged: (task: string) => dragged?._id === task,

      /** Whether the task would land right behind `after`, or on top of the column. */
      isOver: (status: Status, after?: string) =>
        over?.status === status && over.after === after,
    };
  }, [dragged, over, move]);
}

/** The task whose middle is the last one above a height in the window. */
function cardAbove(column: HTMLElement, y: number): string | undefined {
  const cards = [...column.querySelectorAll<HTMLElement>("[data-task]")];
  return cards.findLast((card) => {
    const { top, height } = card.getBoundingClientRect();
    return top + height / 2 < y;
  })?.dataset.task;
}
