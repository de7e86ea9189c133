// Functions of components, by name.

/** A component that this project, or this component, mounts: see `component`. */
@final
export class Component {
  constructor(
    /** The name of the mount. */
    readonly name: string,
  ) {}

  /**
   * The path of one of its public functions, `dir/module:function` or, for `default`, `module`. It is taken wherever a path
   * is: to be called, to be scheduled, and by `ctx.functionHandle`.
   */
  function(path: string): string {
    const at = path.lastIndexOf(":");
    let module = at < 0 ? path : path.substring(0, at);
    const name = at < 0 ? "default" : path.substring(at + 1);
    if (module.endsWith(".js")) module = module.substring(0, module.length - 3);
    return "_reference/childComponent/" + this.name + "/" + module + "/" + name;
  }
}

/**
 * The component that is mounted by this name, in `host.toml` or `convex.config.ts`. Whether it is there is seen by a call.
 */
export function component(name: string): Component {
  return new Component(name);
}
