// Queries in npm `convex`'s form, as the host's plans.

const OPERATORS = { Eq: "eq", Gt: "gt", Gte: "gte", Lt: "lt", Lte: "lte" };

/** npm `convex`'s form of a query in the host's. */
export function planOf({ source, operators }) {
  const plan = sourcePlan(source);
  const filters = [];
  for (const operator of operators) {
    if (operator.limit !== undefined) {
      plan.limit = Math.min(plan.limit ?? Infinity, operator.limit);
    } else if (plan.limit !== undefined) {
      throw new Error("a filter after a limit is not supported by Weir yet; put the filter first");
    } else {
      filters.push(operator.filter);
    }
  }
  if (filters.length > 0) plan.filter = filters.length === 1 ? filters[0] : { $and: filters };
  return plan;
}

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
