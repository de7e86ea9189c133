import { useState, type FormEvent } from "react";
import { Avatar } from "./Avatar";
import { Logo } from "./Logo";
import { NAME_CHARS_MAX } from "./name";

type Props = { name: string; onChoose: (name: string) => void };

/** Where a user picks a name; there are no accounts in this example. */
export function NameForm({ name, onChoose }: Props) {
  const [text, setText] = useState(name);
  const chosen = text.trim();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (chosen !== "") {
      onChoose(chosen);
    }
  }

  return (
    <main className="welcome">
      <form className="card" onSubmit={submit}>
        <Logo />
        <h1>Join the chat</h1>
        <p>Pick a name. Open a second window under another one, and talk.</p>
        <label htmlFor="name">Your name</label>
        <div className="name-field">
          <Avatar name={chosen || "?"} />
          <input
            id="name"
            value={text}
            onChange={(event) => setText(event.target.value)}
            maxLength={NAME_CHARS_MAX}
            autoComplete="nickname"
            placeholder="Ada"
            autoFocus
          />
        </div>
        <button className="primary" disabled={chosen === ""}>
          {name === "" ? "Join" : "Save"}
        </button>
      </form>
    </main>
  );
}
