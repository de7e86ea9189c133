import { useCallback, useMemo, useState } from "react";
import { useConvex } from "convex/react";
import { ConvexError } from "convex/values";
import { api, COLUMNS, type Card, type Member, type Status } from "./api";
import type { Me } from "./join";
import { changeCards, moveCard, removeCard } from "./optimistic";

/** What a user can do on the board. Each tells whether it came to pass; what failed is in `failure`. */
export type Actions = ReturnType<typeof useActions>["actions"];

/**
 * The mutations of the board. Moves and edits show at once, before the host has
 * answered, and are undone if it refuses. `news` says what was done, for those who
 * cannot see it.
 */
export function useActions(me: Me | undefined) {
  const convex = useConvex();
  const [failure, setFailure] = useState<string | null>(null);
  const [news, setNews] = useState("");
  const dismiss = useCallback(() => setFailure(null), []);

  const actions = useMemo(() => {
    async function run(
      mutation: Promise<unknown>,
      done = "",
    ): Promise<boolean> {
      setFailure(null);
      try {
        await mutation;
        setNews(done);
        return true;
      } catch (error) {
        setFailure(explain(error));
        return false;
      }
    }

    return {
      /** The host's answer decides where it appears: on top of its column, in each window. */
      async add(status: Status, title: string): Promise<boolean> {
        if (me === undefined) return false;
        const task = { team: me.team, author: me.member, status, title };
        return run(
          convex.mutation(api.tasks.add, task),
          `${title} added to ${nameOf(status)}`,
        );
      },

      move(card: Card, status: Status, after?: string): Promise<boolean> {
        return run(
          convex.mutation(
            api.tasks.move,
            { task: card._id, status, ...(after ? { after } : {}) },
            {
              optimisticUpdate: (store) => moveCard(store, card, status, after),
            },
          ),
          card.status === status
            ? `${card.title} moved within ${nameOf(status)}`
            : `${card.title} moved to ${nameOf(status)}`,
        );
      },

      rename(task: string, title: string): Promise<boolean> {
        return run(
          convex.mutation(
            api.tasks.rename,
            { task, title },
            {
              optimisticUpdate: (store) => changeCards(store, task, { title }),
            },
          ),
          `Renamed to ${title}`,
        );
      },

      assign(task: string, assignee?: Member): Promise<boolean> {
        return run(
          convex.mutation(
            api.tasks.assign,
            { task, ...(assignee ? { assignee: assignee._id } : {}) },
            {
              optimisticUpdate: (store) =>
                changeCards(store, task, { assignee }),
            },
          ),
          assignee === undefined
            ? "Assigned to nobody"
            : `Assigned to ${assignee.name}`,
        );
      },

      remove(task: string, title: string): Promise<boolean> {
        return run(
          convex.mutation(
            api.tasks.remove,
            { task },
            { optimisticUpdate: (store) => removeCard(store, task) },
          ),
          `${title} deleted`,
        );
      },

      async comment(task: string, body: string): Promise<boolean> {
        if (me === undefined) return false;
        const comment = { task, author: me.member, body };
        return run(convex.mutation(api.comments.add, comment), "Comment added");
      },
    };
  }, [convex, me]);

  return { actions, failure, dismiss, news };
}

function nameOf(status: Status): string {
  return COLUMNS.find((column) => column.status === status)!.name;
}

/** The application's own words where there are some; else what the host said. */
function explain(error: unknown): string {
  if (error instanceof ConvexError) {
    return typeof error.data === "string"
      ? error.data
      : JSON.stringify(error.data);
  }
  const message = error instanceof Error ? error.message : String(error);
  const said = /Server Error\n(?:Uncaught \w*Error: )?(.*)/.exec(message);
  return said?.[1] ?? message;
}
