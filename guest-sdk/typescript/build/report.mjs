// What is said of a project: what is refused, and what does nothing yet. Each
// finding is `{feature, place, text}`: what it is about, and where.

/** From so many refusals on, a summary comes first, and not every place is named. */
const SUMMARY_FROM = 20;
const PLACES_MAX = 5;
const WARNED_PLACES_MAX = 3;

const line = ({ place, text }) => `${place}: ${text}`;

/** The lines that say what is refused, none if nothing is. */
export function refusalLines(problems) {
  if (problems.length < SUMMARY_FROM) return problems.map(line);
  const features = byFeature(problems);
  const longest = Math.max(...features.map(([feature]) => feature.length));
  return [
    `${problems.length} places use what is not supported by Weir yet:`,
    ...features.map(([feature, found]) => `  ${feature.padEnd(longest)}  ${found.length}`),
    ...features.flatMap(([feature, found]) => some(feature, found, PLACES_MAX)),
  ];
}

/** The lines that say what does nothing yet. */
export function warningLines(warnings) {
  return byFeature(warnings).flatMap(([feature, found]) =>
    some(feature, found, WARNED_PLACES_MAX).map((text) => `warning: ${text}`),
  );
}

function some(feature, found, most) {
  const lines = found.slice(0, most).map(line);
  if (found.length > most) lines.push(`... and ${found.length - most} more of: ${feature}`);
  return lines;
}

/** `[feature, findings]`, the most frequent first. */
function byFeature(findings) {
  const groups = new Map();
  for (const finding of findings) {
    groups.set(finding.feature, [...(groups.get(finding.feature) ?? []), finding]);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}
