import type { Member } from "./api";
import { Avatar } from "./Avatar";
import { Connection } from "./Connection";
import { Logo } from "./Logo";
import type { Names } from "./names";

/** As many of a team as the header has room for. */
const FACES_MAX = 5;

type Props = {
  names: Names;
  members: (Member & { open: number })[] | undefined;
  onLeave: () => void;
};

/** Whose board this is, who works on it, and who you are. */
export function Header({ names, members = [], onLeave }: Props) {
  const others = members.filter(({ name }) => name !== names.name);
  const mine = members.find(({ name }) => name === names.name);
  const { name, team } = names;
  return (
    <header>
      <Logo />
      <div className="title">
        <h1>{team}</h1>
        <Connection />
      </div>
      <ul className="faces" aria-label="Others in the team">
        {others.slice(0, FACES_MAX).map((member) => (
          <li key={member._id} title={`${member.name}: ${open(member)}`}>
            <Avatar name={member.name} />
            <span className="hidden">
              {member.name}: {open(member)}
            </span>
          </li>
        ))}
        {others.length > FACES_MAX && (
          <li className="more">+{others.length - FACES_MAX}</li>
        )}
      </ul>
      <button
        className="me"
        onClick={onLeave}
        aria-label={`You are ${name}${mine ? `, with ${open(mine)}` : ""}. Change your name or team`}
      >
        <Avatar name={name} />
        <span className="me-name">{name}</span>
        {mine !== undefined && mine.open > 0 && (
          <span className="count" title={open(mine)}>
            {mine.open}
          </span>
        )}
      </button>
    </header>
  );
}

function open({ open }: { open: number }): string {
  return open === 1 ? "1 open task" : `${open} open tasks`;
}
