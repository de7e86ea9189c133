import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";

/** The longest message that can be written, in characters. */
const BODY_CHARS_MAX = 4_000;

type Props = { onSend: (body: string) => Promise<boolean> };

/** Where a message is written. Enter sends, Shift and Enter breaks the line. */
export function Composer({ onSend }: Props) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const body = text.trim();

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (body === "") {
      return;
    }
    setText("");
    field.current?.focus();
    const sent = await onSend(body);
    if (!sent) {
      // Nothing that was written is lost, and nothing written since is overwritten.
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
    <form className="composer" onSubmit={submit}>
      <div className="grow" data-text={`${text}\n`}>
        <textarea
          ref={field}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          maxLength={BODY_CHARS_MAX}
          rows={1}
          placeholder="Write a message"
          aria-label="Message"
          enterKeyHint="send"
          autoFocus
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
