import { useEffect, useState } from "react";
import { useMutation } from "convex/react";
import { api } from "./api";
import type { Names } from "./names";

/** The ids of a team and of its member in this window. */
export type Me = { team: string; member: string };

/**
 * Joins the team; `undefined` until the host has answered. Joining again is harmless:
 * it gives the same ids. What the host refuses is thrown where this is used.
 */
export function useJoin({ team, name }: Names): Me | undefined {
  const join = useMutation(api.teams.join);
  const [me, setMe] = useState<Me>();
  const [failure, setFailure] = useState<unknown>();

  useEffect(() => {
    let current = true;
    join({ team, name }).then(
      (joined) => current && setMe(joined),
      (error) => current && setFailure(error),
    );
    return () => {
      current = false;
    };
  }, [join, team, name]);

  if (failure !== undefined) {
    throw failure;
  }
  return me;
}
