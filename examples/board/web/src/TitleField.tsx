import { useState, type KeyboardEvent } from "react";
import { TITLE_CHARS_MAX } from "./AddTask";

type Props = { title: string; onRename: (title: string) => Promise<boolean> };

/** A task's title, to be edited in its place. Enter or leaving it saves, Escape gives up. */
export function TitleField({ title, onRename }: Props) {
  /** What is being written; `null` when nobody writes, and the live title is shown. */
  const [draft, setDraft] = useState<string | null>(null);
  const text = draft ?? title;

  async function save() {
    const written = draft?.trim() ?? "";
    if (written === "" || written === title) {
      setDraft(null);
    } else if (await onRename(written)) {
      setDraft(null);
    }
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      event.currentTarget.blur();
    } else if (event.key === "Escape" && draft !== null) {
      event.stopPropagation();
      setDraft(null);
    }
  }

  return (
    <div className="grow title-field" data-text={`${text}\n`}>
      <textarea
        aria-label="Title"
        value={text}
        onChange={(event) => setDraft(event.target.value.replace(/\n/g, " "))}
        onBlur={save}
        onKeyDown={onKeyDown}
        maxLength={TITLE_CHARS_MAX}
        rows={1}
      />
    </div>
  );
}
