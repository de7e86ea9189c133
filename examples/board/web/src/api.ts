import {
  anyApi,
  type FunctionReference,
  type PaginationOptions,
  type PaginationResult,
} from "convex/server";

export type Status = "todo" | "doing" | "done";

/** The columns, from left to right. */
export const COLUMNS: { status: Status; name: string }[] = [
  { status: "todo", name: "To do" },
  { status: "doing", name: "Doing" },
  { status: "done", name: "Done" },
];

export type Member = { _id: string; name: string };

/** A task as it stands on the board. */
export type Card = {
  _id: string;
  /** Milliseconds since the epoch. */
  _creationTime: number;
  status: Status;
  title: string;
  assignee?: Member;
  /** How many. */
  comments: number;
};

export type Comment = {
  _id: string;
  _creationTime: number;
  author: string;
  body: string;
};

/** A task with all that belongs to it. */
export type Task = Omit<Card, "comments"> & {
  author?: Member;
  /** The latest hundred, oldest first. */
  comments: Comment[];
};

export type Counts = Record<Status, number>;

type Query<Args extends object, Result> = FunctionReference<
  "query",
  "public",
  Args & Record<string, any>,
  Result
>;
type Mutation<Args extends object, Result = null> = FunctionReference<
  "mutation",
  "public",
  Args & Record<string, any>,
  Result
>;

type BoardApi = {
  teams: {
    /** Somebody comes to a team; both are made when they are new. */
    join: Mutation<
      { team: string; name: string },
      { team: string; member: string }
    >;
    /** By name; `open`: how many tasks they have yet to do. */
    members: Query<{ team: string }, (Member & { open: number })[]>;
  };
  tasks: {
    list: Query<
      { team: string; status: Status; paginationOpts: PaginationOptions },
      PaginationResult<Card>
    >;
    counts: Query<{ team: string }, Counts>;
    get: Query<{ task: string }, Task | null>;
    /** On top of a column. */
    add: Mutation<
      { team: string; status: Status; title: string; author: string },
      string
    >;
    /** Right behind the task `after`; without it on top. */
    move: Mutation<{ task: string; status: Status; after?: string }>;
    rename: Mutation<{ task: string; title: string }>;
    /** Without an assignee: to nobody. */
    assign: Mutation<{ task: string; assignee?: string }>;
    remove: Mutation<{ task: string }>;
  };
  comments: {
    add: Mutation<{ task: string; author: string; body: string }, string>;
  };
};

/** The deployed functions by name; `anyApi` makes a reference of any path. */
export const api = anyApi as unknown as BoardApi;
