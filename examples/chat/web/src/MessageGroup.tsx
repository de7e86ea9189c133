import { Avatar } from "./Avatar";
import type { Message } from "./api";
import type { Group } from "./groups";
import { isPending } from "./send";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const FULL = new Intl.DateTimeFormat(undefined, {
  dateStyle: "full",
  timeStyle: "medium",
});

/** What one person said without a pause: one name, one avatar, one time. */
export function MessageGroup({ group, mine }: { group: Group; mine: boolean }) {
  const last = group.messages.at(-1)!;
  return (
    <article className={mine ? "group mine" : "group"}>
      {!mine && <Avatar name={group.user} />}
      <div className="bubbles">
        {mine ? (
          <h3 className="hidden">You</h3>
        ) : (
          <h3 className="author">{group.user}</h3>
        )}
        {group.messages.map((message) => (
          <Bubble key={message._id} message={message} />
        ))}
        <p className="time">
          {isPending(last) ? (
            "Sending…"
          ) : (
            <time
              dateTime={new Date(last._creationTime).toISOString()}
              title={FULL.format(last._creationTime)}
            >
              {CLOCK.format(last._creationTime)}
            </time>
          )}
        </p>
      </div>
    </article>
  );
}

function Bubble({ message }: { message: Message }) {
  return (
    <p className={isPending(message) ? "bubble pending" : "bubble"} dir="auto">
      {message.body}
    </p>
  );
}
