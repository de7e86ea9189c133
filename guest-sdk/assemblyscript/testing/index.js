// The client of `host test`, which is the same for all languages on Node.
export * from "@weir/testing";
