// Cron jobs: functions that the host calls again and again.

/**
 * Declares cron jobs, at the top level of a file. The transform reads what is written there into the manifest, and takes it
 * out of the program: nothing is left to be run. `types/index.d.ts` says what there is.
 */
export class Crons {}

export const crons: Crons = new Crons();
