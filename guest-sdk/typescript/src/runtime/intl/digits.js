// The options that say how many digits a number has.
import { inRange, numberOption, option } from "./options.js";

const INCREMENTS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];
const MODES = [
  ...["ceil", "floor", "expand", "trunc"],
  ...["halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"],
];

/** SetNumberFormatDigitOptions; in the order that `resolvedOptions` has them. */
export function digitOptions(options, leastDefault, mostDefault, notation, type) {
  const digits = { minimumIntegerDigits: numberOption(options, "minimumIntegerDigits", 1, 21, 1) };
  const { minimumFractionDigits: leastFraction, maximumFractionDigits: mostFraction } = options;
  const { minimumSignificantDigits: least, maximumSignificantDigits: most } = options;
  const priority = option(
    options,
    "roundingPriority",
    ["auto", "morePrecision", "lessPrecision"],
    "auto",
    type,
  );
  const roundingIncrement = numberOption(options, "roundingIncrement", 1, 5000, 1);
  if (!INCREMENTS.includes(roundingIncrement))
    throw new RangeError("roundingIncrement value is out of range.");
  const roundingMode = option(options, "roundingMode", MODES, "halfExpand", type);
  const trailingZeroDisplay = option(
    options,
    "trailingZeroDisplay",
    ["auto", "stripIfInteger"],
    "auto",
    type,
  );

  const hasSignificant = least !== undefined || most !== undefined;
  const hasFraction = leastFraction !== undefined || mostFraction !== undefined;
  const isAuto = priority === "auto";
  const needsSignificant = !isAuto || hasSignificant;
  const needsFraction = !isAuto || (!hasSignificant && (hasFraction || notation !== "compact"));
  if (needsSignificant) Object.assign(digits, significant(least, most));
  if (needsFraction) Object.assign(digits, fraction(leastFraction, mostFraction, leastDefault, mostDefault));
  let roundingPriority = priority;
  if (!needsSignificant && !needsFraction) {
    Object.assign(digits, { minimumSignificantDigits: 1, maximumSignificantDigits: 2 });
    Object.assign(digits, { minimumFractionDigits: 0, maximumFractionDigits: 0 });
    roundingPriority = "morePrecision";
  }
  if (roundingIncrement !== 1) checkIncrement(digits, roundingPriority);
  return { digits, rounding: { roundingMode, roundingIncrement, trailingZeroDisplay, roundingPriority } };
}

function significant(least, most) {
  const minimumSignificantDigits = inRange(least, "minimumSignificantDigits", 1, 21, 1);
  const maximumSignificantDigits = inRange(
    most,
    "maximumSignificantDigits",
    minimumSignificantDigits,
    21,
    21,
  );
  return { minimumSignificantDigits, maximumSignificantDigits };
}

function fraction(least, most, leastDefault, mostDefault) {
  let minimumFractionDigits = inRange(least, "minimumFractionDigits", 0, 100, undefined);
  let maximumFractionDigits = inRange(most, "maximumFractionDigits", 0, 100, undefined);
  if (minimumFractionDigits === undefined) {
    minimumFractionDigits = Math.min(leastDefault, maximumFractionDigits ?? leastDefault);
  }
  maximumFractionDigits ??= Math.max(mostDefault, minimumFractionDigits);
  if (minimumFractionDigits > maximumFractionDigits) {
    throw new RangeError("maximumFractionDigits value is out of range.");
  }
  return { minimumFractionDigits, maximumFractionDigits };
}

function checkIncrement(digits, priority) {
  if (priority !== "auto" || digits.maximumSignificantDigits !== undefined) {
    throw new TypeError("roundingIncrement value is invalid.");
  }
  if (digits.minimumFractionDigits !== digits.maximumFractionDigits) {
    throw new RangeError("roundingIncrement value is out of range.");
  }
}
