import { anyApi, type FunctionReference } from "convex/server";

/** A message as the chat's functions keep it. */
export type Message = {
  _id: string;
  /** Milliseconds since the epoch. */
  _creationTime: number;
  user: string;
  body: string;
};

type ChatApi = {
  chat: {
    /** The latest fifty messages, oldest first. */
    getMessages: FunctionReference<
      "query",
      "public",
      Record<string, never>,
      Message[]
    >;
    sendMessage: FunctionReference<
      "mutation",
      "public",
      { user: string; body: string },
      unknown
    >;
  };
};

/** The deployed functions by name; `anyApi` makes a reference of any path. */
export const api = anyApi as unknown as ChatApi;
