// Units that ECMA-402 knows.

/** Each of them may stand per another one. */
export const UNITS = [
  ...["acre", "bit", "byte", "celsius", "centimeter", "day", "degree", "fahrenheit", "fluid-ounce", "foot"],
  ...["gallon", "gigabit", "gigabyte", "gram", "hectare", "hour", "inch", "kilobit", "kilobyte", "kilogram"],
  ...[
    "kilometer",
    "liter",
    "megabit",
    "megabyte",
    "meter",
    "microsecond",
    "mile",
    "mile-scandinavian",
    "milliliter",
  ],
  ...[
    "millimeter",
    "millisecond",
    "minute",
    "month",
    "nanosecond",
    "ounce",
    "percent",
    "petabyte",
    "pound",
    "second",
  ],
  ...["stone", "terabit", "terabyte", "week", "yard", "year"],
];

export function isUnit(name) {
  const [unit, per, ...rest] = name.split("-per-");
  return rest.length === 0 && UNITS.includes(unit) && (per === undefined || UNITS.includes(per));
}
