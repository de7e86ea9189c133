import { useEffect, useRef, type KeyboardEvent } from "react";
import { useQuery } from "convex/react";
import type { Actions } from "./actions";
import { api, COLUMNS, type Member, type Task } from "./api";
import { Comments } from "./Comments";
import { DeleteButton } from "./DeleteButton";
import { when, FULL } from "./times";
import { TitleField } from "./TitleField";

type Props = {
  task: string;
  members: Member[];
  actions: Actions;
  onClose: () => void;
};

/** The task that is open, live: its title, where it stands, who does it, and what is said about it. */
export function TaskPanel({ task: id, members, actions, onClose }: Props) {
  const task = useQuery(api.tasks.get, { task: id });
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    close.current?.focus();
  }, []);

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Escape" && !event.nativeEvent.isComposing) {
      onClose();
    }
  }

  return (
    <aside className="panel" aria-label="Task" onKeyDown={onKeyDown}>
      <div className="panel-head">
        <h2>Task</h2>
        <button
          ref={close}
          className="icon"
          onClick={onClose}
          aria-label="Close"
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="m6 6 12 12M18 6 6 18" />
          </svg>
        </button>
      </div>
      {task === null && <p className="gone">This task has been deleted.</p>}
      {task && (
        <>
          <div className="details">
            <TitleField
              title={task.title}
              onRename={(title) => actions.rename(id, title)}
            />
            <StatusChoice task={task} onMove={actions.move} />
            <AssigneeChoice
              task={task}
              members={members}
              onAssign={actions.assign}
            />
            <div className="origin">
              <p title={FULL.format(task._creationTime)}>
                Added by {task.author?.name ?? "somebody"}{" "}
                {when(task._creationTime)}
              </p>
              <DeleteButton
                onDelete={async () => {
                  if (await actions.remove(id, task.title)) onClose();
                }}
              />
            </div>
          </div>
          <Comments
            comments={task.comments}
            onComment={(body) => actions.comment(id, body)}
          />
        </>
      )}
    </aside>
  );
}

type StatusProps = { task: Task; onMove: Actions["move"] };

function StatusChoice({ task, onMove }: StatusProps) {
  return (
    <fieldset className="choice">
      <legend>Column</legend>
      {COLUMNS.map(({ status, name }) => (
        <label key={status}>
          <input
            type="radio"
            name="status"
            checked={task.status === status}
            onChange={() =>
              onMove({ ...task, comments: task.comments.length }, status)
            }
          />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

type AssigneeProps = {
  task: Task;
  members: Member[];
  onAssign: Actions["assign"];
};

function AssigneeChoice({ task, members, onAssign }: AssigneeProps) {
  return (
    <label className="labelled">
      Assigned to
      <select
        className="field"
        value={task.assignee?._id ?? ""}
        onChange={({ target }) => {
          const member = members.find(({ _id }) => _id === target.value);
          onAssign(task._id, member && { _id: member._id, name: member.name });
        }}
      >
        <option value="">Nobody</option>
        {members.map(({ _id, name }) => (
          <option key={_id} value={_id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
