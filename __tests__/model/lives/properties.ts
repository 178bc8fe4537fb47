import fc from 'fast-check'
import { stopTheClock } from '../../support/core.js'
import { moments, takeAtOnce } from './at-once.js'
import { steps, takeInTurn } from './in-turn.js'

const start = new Date('2026-01-01T00:00:00Z')

/** The properties of random lives of sessions, with so many runs of each. */
export function checkLives(runs: { readonly inTurn: number; readonly atOnce: number }): void {
  describe.each(['endOldest', 'refuse'] as const)('a limit of sessions, whenFull: %s', (whenFull) => {
    it('holds with all other rules, one step after another', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          stopTheClock(start)
          await takeInTurn(whenFull, all)
        }),
        { numRuns: runs.inTurn },
      )
    })

    it('holds with all other rules where everything happens at once, in any order of calls to the store', async () => {
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), moments, async (s, all) => {
          stopTheClock(start)
          await takeAtOnce(s, whenFull, all)
        }),
        { numRuns: runs.atOnce },
      )
    })
  })
}
