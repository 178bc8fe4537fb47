import type { ServerResponse } from 'node:http'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { guardResponse, type Gate } from '../../src/express-session/response/guard.js'
import { bytesOf, inOneChunk, program, run } from './support/programs.js'

// A response that was held back while its session was saved is the same, byte for byte.

const joinsChunks = Number(process.versions.node.split('.')[0]) >= 25
const runs = process.env.SID_LONG === '1' ? 2_000 : 120

/** A gate that holds the first and the last byte, as a save would. */
function slowGate(first: number | undefined, last: number | undefined): Gate {
  const wait = (time: number | undefined) =>
    time === undefined
      ? undefined
      : time === 0
        ? turn().then(() => undefined)
        : pause(time).then(() => undefined)
  return {
    first: () => wait(first),
    last: () => wait(last),
    sendsAnyway: false,
    report: (error) => void reported.push(error),
  }
}

const reported: unknown[] = []
afterEach(() => expect(reported).toEqual([]))

const wait = fc.constantFrom(undefined, 0, 1, 3)

test('any route sends what it sends without us, and sees the same errors', async () => {
  await fc.assert(
    fc.asyncProperty(program, wait, wait, async (steps, first, last) => {
      const raw = await bytesOf((_req, res) => run(steps, res))
      const held = await bytesOf((_req, res) => {
        guardResponse(res, slowGate(first, last))
        return run(steps, res)
      })
      if (joinsChunks) for (const one of [raw, held]) one.bytes = inOneChunk(one.bytes)
      expect(held).toEqual(raw)
    }),
    { numRuns: runs },
  )
}, 120_000)

test('a client that hangs up meanwhile ends nothing but its response', async () => {
  await fc.assert(
    fc.asyncProperty(program, wait, fc.integer({ min: 1, max: 300 }), async (steps, first, hangUpAfter) => {
      await bytesOf(async (_req, res: ServerResponse) => {
        const closed = new Promise((resolve) => res.once('close', resolve))
        guardResponse(res, slowGate(first, 0))
        const thrown = await run(steps, res)
        await closed
        return thrown
      }, hangUpAfter)
    }),
    { numRuns: runs / 5 },
  )
}, 120_000)
