/**
 * A stored document: the value with its `_id` and `_creationTime`, which the
 * transform adds to every class that `@document` names. So it is that class
 * itself here; editors and the manifest tell the two apart.
 */
export type Doc<T> = T;
