import { checkLives } from './properties.js'

// The same as lives.test.ts, for minutes.

jest.setTimeout(900_000)
afterEach(() => jest.useRealTimers())

checkLives({ inTurn: 3_000, atOnce: 10_000 })
