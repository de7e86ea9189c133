//! Functions of components, by name.

/// A component that this one mounts, by the name of the mount; see [`component`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Component<'a> {
    name: &'a str,
}

/// The component that this project, or this component, mounts by that name, in `host.toml` or `convex.config.ts`:
///
/// ```
/// use weir::Component;
/// const LIMITS: Component = weir::component("ratelimits");
/// assert_eq!(LIMITS.function("lib:check"), "_reference/childComponent/ratelimits/lib/check");
/// ```
///
/// Whether it is there is seen by a call.
pub const fn component(name: &str) -> Component<'_> {
    Component { name }
}

impl Component<'_> {
    /// The path of one of its public functions, `dir/module:function` or, for `default`, `module`. It is taken wherever a
    /// path is: `ctx.run_query(&LIMITS.function("lib:check"), args)`, to schedule, and by
    /// [`CallCtx::function_handle`](crate::CallCtx::function_handle).
    pub fn function(&self, path: &str) -> String {
        let (module, function) = path.rsplit_once(':').unwrap_or((path, "default"));
        let module = module.strip_suffix(".js").unwrap_or(module);
        format!("_reference/childComponent/{}/{module}/{function}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_function_has_its_mount() {
        let mail = component("mail");
        for (path, expected) in [
            ("lib:send", "_reference/childComponent/mail/lib/send"),
            ("lib.js:send", "_reference/childComponent/mail/lib/send"),
            ("queue/lib:send", "_reference/childComponent/mail/queue/lib/send"),
            ("lib", "_reference/childComponent/mail/lib/default"),
        ] {
            assert_eq!(mail.function(path), expected);
        }
    }
}
