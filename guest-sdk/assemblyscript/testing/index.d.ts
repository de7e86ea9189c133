export * from "@weir/testing";
