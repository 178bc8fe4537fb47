import type { RequestHandler } from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { tooManyPage } from './pages/entrance.js'

const HOUR = 60 * 60

/** The recipe of docs/recipes.md: guesses are counted by address, by account, and by both. */
const guesses = {
  byAddress: new RateLimiterMemory({ keyPrefix: 'address', points: 100, duration: HOUR / 4 }),
  byAccount: new RateLimiterMemory({ keyPrefix: 'account', points: 100, duration: 24 * HOUR }),
  byBoth: new RateLimiterMemory({ keyPrefix: 'both', points: 10, duration: HOUR / 4 }),
}

/** Stops who guesses passwords. `accountOf` says for which account. */
export function limitGuesses(accountOf: (req: Parameters<RequestHandler>[0]) => string): RequestHandler {
  return async function limit(req, res, next) {
    const ip = req.ip ?? ''
    const account = accountOf(req)
    try {
      // In this order: who is stopped by the first or the second uses up none of the account's points.
      await guesses.byAddress.consume(ip)
      await guesses.byBoth.consume(`${ip} ${account}`)
      await guesses.byAccount.consume(account)
    } catch (reached) {
      if (reached instanceof Error) return next(reached)
      const seconds = Math.ceil((reached as { msBeforeNext: number }).msBeforeNext / 1000)
      res.status(429).set('Retry-After', String(seconds))
      res.send(tooManyPage(req, seconds).text)
      return
    }
    next()
  }
}

/** Who knows the password may mistype it again. */
export async function forgive(ip: string | undefined, account: string): Promise<void> {
  await guesses.byBoth.delete(`${ip ?? ''} ${account}`)
}
