import { checkLives } from './properties.js'

// Random lives of sessions, against the rules in rules.ts: logins, logouts, rotations, touches, expiry, revocation, acting,
// limits, changed users and credentials, and clocks that move.

afterEach(() => jest.useRealTimers())

checkLives({ inTurn: 30, atOnce: 50 })
