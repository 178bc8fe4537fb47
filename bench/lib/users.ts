import type { Response } from 'express'

/** So many browsers take part. Each is logged in as a user of its own. */
export const USERS = 256

export interface User {
  readonly id: string
  readonly name: string
}

/** Ids and names of equal length, so that all responses are equally long. */
export const userOf = (n: unknown): User => ({
  id: String(1000 + Number(n)),
  name: `User ${1000 + Number(n)}`,
})

/** The body that every contender's route sends for a user. */
export const bodyFor = (user: User): string => JSON.stringify({ id: user.id, name: user.name })

/** The body for a request without a user. */
export const BODY_FOR_NOBODY = '{"id":null}'

/** The route that all contenders share: who is this? */
export const sendUser = (res: Response, user: User | undefined): unknown =>
  res.json(user ? { id: user.id, name: user.name } : { id: null })
