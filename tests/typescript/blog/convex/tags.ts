import { crud } from "convex-helpers/server/crud";

import { mutation, query } from "./_generated/server";
import schema from "./schema";

export const { create, read, paginate, update, destroy } = crud(schema, "tags", query, mutation);
