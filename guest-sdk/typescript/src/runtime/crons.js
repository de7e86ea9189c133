// The cron jobs of a project: which of its functions are called at which times, as `convex/crons.ts` says.

/**
 * The cron jobs of what `cronJobs()` has made, `{name, schedule, function, args}`. What is wrong with a schedule the host
 * says; what is wrong with a function is said here, where its file is known.
 */
export function cronsOf(crons, functions) {
  return Object.entries(crons.crons).map(([name, { name: function_, args, schedule }]) => {
    const path = canonical(function_);
    const kind = functions.get(path)?.kind;
    if (kind === undefined) throw new Error(`the cron job \`${name}\`: there is no function \`${path}\``);
    if (kind !== "mutation" && kind !== "action") {
      throw new Error(
        `the cron job \`${name}\`: \`${path}\` is of the kind \`${kind}\`, not \`mutation\` or \`action\``,
      );
    }
    return { name, schedule, function: path, args };
  });
}

/** `messages:send` of `messages:send`, `messages.js:send` and, as the default export, `messages`. */
function canonical(path) {
  const [module, name = "default"] = path.split(":");
  return `${module.replace(/\.js$/, "")}:${name}`;
}
