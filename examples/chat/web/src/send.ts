import { useCallback, useState } from "react";
import { useMutation } from "convex/react";
import { ConvexError } from "convex/values";
import { api, type Message } from "./api";

const PENDING = "pending:";

/** Messages the server's list holds; the optimistic list is cut to the same length. */
const LIST_MESSAGES_MAX = 50;

/** Whether a message is shown ahead of the server's answer. */
export function isPending(message: Message): boolean {
  return message._id.startsWith(PENDING);
}

/**
 * Sends messages under `name`. One is shown at once and replaced by the server's in
 * the same step in which that arrives. `failure` is what the last failed one said.
 */
export function useSend(name: string) {
  const [failure, setFailure] = useState<string | null>(null);
  const mutate = useMutation(api.chat.sendMessage);

  const send = useCallback(
    async (body: string): Promise<boolean> => {
      const pending: Message = {
        _id: PENDING + crypto.getRandomValues(new Uint32Array(2)).join("-"),
        _creationTime: Date.now(),
        user: name,
        body,
      };
      setFailure(null);
      try {
        await mutate.withOptimisticUpdate((store) => {
          const list = store.getQuery(api.chat.getMessages, {});
          if (list !== undefined) {
            const longer = [...list, pending].slice(-LIST_MESSAGES_MAX);
            store.setQuery(api.chat.getMessages, {}, longer);
          }
        })({ user: name, body });
        return true;
      } catch (error) {
        setFailure(explain(error));
        return false;
      }
    },
    [mutate, name],
  );

  return { send, failure, dismiss: useCallback(() => setFailure(null), []) };
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
