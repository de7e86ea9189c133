import { useState, type FormEvent } from "react";
import { Avatar } from "./Avatar";
import { Logo } from "./Logo";
import { NAME_CHARS_MAX, type Names } from "./names";

type Props = { names: Names | null; onChoose: (names: Names) => void };

/** Where a user picks a name and a team; there are no accounts in this example. */
export function JoinForm({ names, onChoose }: Props) {
  const [name, setName] = useState(names?.name ?? "");
  const [team, setTeam] = useState(names?.team ?? "Engines");
  const chosen = { name: name.trim(), team: team.trim() };
  const complete = chosen.name !== "" && chosen.team !== "";

  function submit(event: FormEvent) {
    event.preventDefault();
    if (complete) {
      onChoose(chosen);
    }
  }

  return (
    <main className="welcome">
      <form className="sheet" onSubmit={submit}>
        <Logo />
        <h1>Join the board</h1>
        <p>Open a second window under another name, and work on it together.</p>
        <label htmlFor="name">Your name</label>
        <div className="name-field">
          <Avatar name={chosen.name || "?"} />
          <input
            id="name"
            className="field"
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={NAME_CHARS_MAX}
            autoComplete="nickname"
            placeholder="Ada"
            autoFocus
          />
        </div>
        <label htmlFor="team">Your team</label>
        <input
          id="team"
          className="field"
          value={team}
          onChange={(event) => setTeam(event.target.value)}
          maxLength={NAME_CHARS_MAX}
          autoComplete="organization"
        />
        <button className="primary" disabled={!complete}>
          {names === null ? "Join" : "Save"}
        </button>
      </form>
    </main>
  );
}
