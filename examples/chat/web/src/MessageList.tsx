import { useMemo } from "react";
import type { Message } from "./api";
import { groupMessages } from "./groups";
import { MessageGroup } from "./MessageGroup";
import { useStickyScroll } from "./scroll";

type Props = {
  /** Oldest first; `undefined` until the first answer. */
  messages: Message[] | undefined;
  me: string;
};

/** The messages, by day and by who said them, kept scrolled to the newest. */
export function MessageList({ messages, me }: Props) {
  const newest = messages?.at(-1);
  const { list, behind, onScroll, toEnd } = useStickyScroll(
    newest?._id,
    newest?.user === me,
  );
  const days = useMemo(() => groupMessages(messages ?? []), [messages]);

  return (
    <div className="messages">
      <main
        ref={list}
        onScroll={onScroll}
        role="log"
        aria-label="Messages"
        aria-busy={messages === undefined}
        tabIndex={0}
      >
        {messages === undefined && <Skeleton />}
        {messages?.length === 0 && <Empty />}
        {days.map((day) => (
          <section key={day.date} aria-label={day.label}>
            <h2 className="day">
              <span>{day.label}</span>
            </h2>
            {day.groups.map((group) => (
              <MessageGroup
                key={group.key}
                group={group}
                mine={group.user === me}
              />
            ))}
          </section>
        ))}
      </main>
      {behind && (
        <button className="to-end" onClick={toEnd}>
          New messages
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M12 5v14M5.5 12.5 12 19l6.5-6.5" />
          </svg>
        </button>
      )}
    </div>
  );
}

function Empty() {
  return (
    <div className="empty">
      <svg viewBox="0 0 48 48" aria-hidden="true">
        <path d="M8 12a4 4 0 0 1 4-4h24a4 4 0 0 1 4 4v16a4 4 0 0 1-4 4H22l-9 8v-8h-1a4 4 0 0 1-4-4z" />
        <path d="M16 17h16M16 23h10" />
      </svg>
      <p>
        <strong>Nothing here yet.</strong>
        Say something; every open window shows it at once.
      </p>
    </div>
  );
}

function Skeleton() {
  return (
    <div className="skeleton" aria-hidden="true">
      {[46, 30, 58, 38, 50].map((width, n) => (
        <span key={n} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
