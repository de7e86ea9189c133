import {
  useEffect,
  useRef,
  useState,
  type FormEvent,
  type KeyboardEvent,
} from "react";
import type { Comment } from "./api";
import { Avatar } from "./Avatar";
import { FULL, when } from "./times";

/** The longest comment that can be written, in characters. */
const BODY_CHARS_MAX = 4_000;

type Props = {
  comments: Comment[];
  onComment: (body: string) => Promise<boolean>;
};

/** What is said about a task, and where one says more. */
export function Comments({ comments, onComment }: Props) {
  const end = useRef<HTMLLIElement>(null);
  const newest = comments.at(-1)?._id;
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
  }, [newest]);

  return (
    <section className="comments" aria-label="Comments">
      {comments.length === 0 ? (
        <p className="silence">No comments yet.</p>
      ) : (
        <ol role="log" aria-label="Comments">
          {comments.map((comment, n) => (
            <li
              key={comment._id}
              ref={n === comments.length - 1 ? end : undefined}
            >
              <Avatar name={comment.author} />
              <div>
                <p className="by">
                  <strong>{comment.author}</strong>{" "}
                  <time
                    dateTime={new Date(comment._creationTime).toISOString()}
                    title={FULL.format(comment._creationTime)}
                  >
                    {when(comment._creationTime)}
                  </time>
                </p>
                <p className="body">{comment.body}</p>
              </div>
            </li>
          ))}
        </ol>
      )}
      <CommentForm onComment={onComment} />
    </section>
  );
}

/** Enter sends, Shift and Enter breaks the line. */
function CommentForm({ onComment }: Pick<Props, "onComment">) {
  const [text, setText] = useState("");
  const body = text.trim();

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (body === "") return;
    setText("");
    if (!(await onComment(body))) {
      setText((current) => (current === "" ? body : `${body}\n${current}`));
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    const composing = event.nativeEvent.isComposing;
    if (event.key === "Enter" && !event.shiftKey && !composing) {
      event.preventDefault();
      void submit();
    }
  }

  return (
    <form className="say" onSubmit={submit}>
      <div className="grow" data-text={`${text}\n`}>
        <textarea
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          maxLength={BODY_CHARS_MAX}
          rows={1}
          placeholder="Write a comment"
          aria-label="Comment"
          enterKeyHint="send"
        />
      </div>
      <button className="send" disabled={body === ""} aria-label="Send">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 20V5M5.5 11.5 12 5l6.5 6.5" />
        </svg>
      </button>
    </form>
  );
}
