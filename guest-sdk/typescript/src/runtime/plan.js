// Queries in npm `convex`'s form, as the host's plans.

const OPERATORS = { Eq: "eq", Gt: "gt", Gte: "gte", Lt: "lt", Lte: "lte" };

/**
 * npm `convex`'s form of a query in the host's: a plan, and the `rest` of its operators, each `{filter}` or `{limit}`,
 * from the first filter behind a limit on. A plan filters first, and then counts.
 */
export function stepsOf({ source, operators }) {
  const plan = sourcePlan(source);
  const filters = [];
  let at = 0;
  for (; at < operators.length; at++) {
    const { filter, limit } = operators[at];
    if (limit !== undefined) plan.limit = Math.min(plan.limit ?? Infinity, limit);
    else if (plan.limit === undefined) filters.push(filter);
    else break;
  }
  if (filters.length > 0) plan.filter = filters.length === 1 ? filters[0] : { $and: filters };
  return { plan, rest: operators.slice(at) };
}

/** The plan of a query whose pages are read, or which is counted: the host refuses limits in it. */
export const planOf = (query) => stepsOf(query).plan;

function sourcePlan(source) {
  switch (source.type) {
    case "FullTableScan":
      return { table: source.tableName, order: source.order ?? "asc" };
    case "IndexRange": {
      // A table's name has no dot.
      const [table, index] = source.indexName.split(".");
      const range = source.range.map(({ type, fieldPath, value }) => ({
        op: OPERATORS[type],
        field: fieldPath,
        value,
      }));
      return { table, index, range, order: source.order ?? "asc" };
    }
    default:
      throw new Error("search indexes are not supported by Weir yet");
  }
}
