/** So many browsers take part: each is logged in as a user of its own. */
export const USERS = 256

/** Ids and names of equal length, so that all answers are equally long. */
export const userOf = (n) => ({ id: String(1000 + Number(n)), name: `User ${1000 + Number(n)}` })

/** What every contender's route answers for a user. */
export const answerFor = (user) => JSON.stringify({ id: user.id, name: user.name })

/** What it answers for nobody. */
export const ANSWER_FOR_NOBODY = '{"id":null}'

/** The route that all contenders share: who is this? */
export const answerWith = (res, user) => res.json(user ? { id: user.id, name: user.name } : { id: null })
