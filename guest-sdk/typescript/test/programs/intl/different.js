// Programs whose answer on the host is another one than Node's, and why.
export const different = {
  "date: ranges in ar-EG": {
    why: "digits of days and months are as many as in a date of its own; ICU lets them go between marks of direction",
  },
  "order: searching": {
    engine: "throws RangeError",
    why: "ICU4X's data has no orders for searching: it is refused where that is another one than for sorting",
  },
  "segments: words": {
    why: "ICU4X cuts Japanese by the longest words of its dictionary, ICU by the likeliest",
  },
  "list: parts": {
    engine:
      '[{type: "element", value: "a"}, {type: "literal", value: ", "}, {type: "element", value: ""}, {type: "literal", value: " und "}, {type: "element", value: "c"}]',
    why: "the standard has a part for every element; V8 drops empty ones",
  },
};
