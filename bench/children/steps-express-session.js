import { createRequire } from 'node:module'
import session from 'express-session'
import { timeSteps } from './time-steps.js'

const require = createRequire(import.meta.resolve('express-session'))
const { parse } = require('cookie')
const { unsign } = require('cookie-signature')
const fresh = (text) => Buffer.from(text).latin1Slice()

/** The steps of express-session with MemoryStore, by the functions that it calls itself. */
export function expressSessionSteps({ store, secret, signed, rounds }) {
  const ids = Object.keys(store.sessions)
  let turn = 0
  const pick = (values) => values[turn++ % values.length]
  const value = () => decodeURIComponent(pick(signed).split('=')[1]).slice(2)
  const saved = () => JSON.parse(store.sessions[pick(ids)])
  const hash = (sess) =>
    JSON.stringify(sess, function (key, inner) {
      return this === sess && key === 'cookie' ? undefined : inner
    })
  const quiet = Object.create(session.MemoryStore.prototype, { sessions: { value: store.sessions } })

  return timeSteps(
    {
      'parse the cookies': {
        input: () => fresh(`_ga=GA1.1.1874520413.1763846400; theme=dark; ${pick(signed)}`),
        step: parse,
      },
      'check the signature': { input: () => fresh(value()), step: (text) => unsign(text, secret) },
      'look up and parse the record': {
        input: () => fresh(pick(ids)),
        step: (id) => JSON.parse(store.sessions[id]),
      },
      'make the session': { input: saved, step: (sess) => store.createSession({}, sess) },
      'hash it, four times': {
        input: () => store.createSession({}, saved()),
        step: (sess) => [hash(sess), hash(sess), hash(sess), hash(sess)],
      },
      'touch it': {
        input: () => ({ id: pick(ids), sess: store.createSession({}, saved()) }),
        step: ({ id, sess }) => quiet.touch(id, sess),
      },
    },
    rounds,
  )
}
