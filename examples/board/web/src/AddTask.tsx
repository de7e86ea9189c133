import { useState, type FormEvent } from "react";

/** The longest title that can be written, in characters. */
export const TITLE_CHARS_MAX = 200;

type Props = {
  column: string;
  onAdd: (title: string) => Promise<boolean>;
  disabled: boolean;
};

/** Where a new task is written; Enter adds it. */
export function AddTask({ column, onAdd, disabled }: Props) {
  const [text, setText] = useState("");
  const title = text.trim();

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (title === "" || disabled) {
      return;
    }
    setText("");
    if (!(await onAdd(title))) {
      // Nothing that was written is lost, and nothing written since is overwritten.
      setText((current) => (current === "" ? title : current));
    }
  }

  return (
    <form className="add" onSubmit={submit}>
      <input
        className="field"
        value={text}
        onChange={(event) => setText(event.target.value)}
        maxLength={TITLE_CHARS_MAX}
        placeholder="Add a task"
        aria-label={`Add a task to ${column}`}
        enterKeyHint="done"
        autoComplete="off"
      />
      <button
        disabled={title === "" || disabled}
        aria-label={`Add to ${column}`}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 5v14M5 12h14" />
        </svg>
      </button>
    </form>
  );
}
