import { timeSteps } from './time-steps.js'

const fresh = (text) => Buffer.from(text).latin1Slice()

/** The steps of the middleware, in their order, each called as the middleware calls it. */
export async function sidSteps({ build, tokens, exchange, rounds }) {
  const load = (path) => import(`${build}${path}.js`)
  const { readCookie } = await load('http/cookie/cookie')
  const { clientOf } = await load('http/request/client-of')
  const { useDictionaryMode } = await load('http/request/dictionary-mode')
  const { BoundSession } = await load('http/request/request-session')
  const { attachSession } = await load('http/request/session-of')
  const { createSessions } = await load('index')
  const { parseToken, secretMatches } = await load('core/token')
  const { compareClients } = await load('core/client/client')
  const { isExpired, isTouchDue } = await load('core/lifetime')
  const { Records } = await load('core/records/records')
  const { userOf } = await load('core/user')
  const { memoryStore } = await load('stores/memory/index')

  const store = memoryStore()
  const sessions = createSessions({ store })
  const records = new Records(store, 2_000, () => undefined)
  const found = []
  for (const token of tokens) {
    const { req } = exchange()
    const user = { id: token.slice(0, 8), name: 'User 1000' }
    const started = await sessions.login(user, clientOf(req), [])
    found.push({ token: started.token, record: started.record })
  }
  let turn = 0
  const pick = () => found[turn++ % found.length]
  const choice = sessions.settings.cookie.onSecureRequest
  const met = () => {
    const { req, res } = exchange()
    useDictionaryMode(req, res)
    const { record } = pick()
    return { req, res, record, user: { ...record.user } }
  }
  const now = Date.now()

  const steps = {
    'ease the hidden classes': { input: exchange, step: ({ req, res }) => useDictionaryMode(req, res) },
    'say Vary: Cookie': { input: met, step: ({ res }) => res.setHeader('Vary', 'Cookie') },
    'read the cookie': {
      input: () => fresh(`_ga=GA1.1.1874520413.1763846400; theme=dark; __Host-sid=${pick().token}`),
      step: (header) => readCookie(header, '__Host-sid'),
    },
    'parse the token': { input: () => fresh(pick().token), step: parseToken },
    'look up the record': {
      input: () => parseToken(fresh(pick().token)).id,
      step: (id) => records.find(id),
    },
    'hash and compare the secret': {
      input: () => {
        const { token, record } = pick()
        return { secret: parseToken(fresh(token)).secret, hash: record.secretHash }
      },
      step: ({ secret, hash }) => secretMatches(secret, hash),
    },
    'compare the client': {
      input: met,
      step: ({ req, record }) => compareClients(record, clientOf(req, record)),
    },
    'check the deadlines': {
      input: () => pick().record,
      step: (record) => isExpired(record, now) || isTouchDue(record, now, sessions.settings),
    },
    'copy the user': { input: () => pick().record, step: (record) => userOf(record, sessions.settings) },
    attach: {
      input: met,
      step: ({ req, res, record, user }) => {
        const bound = new BoundSession(sessions, choice, req, res)
        attachSession(req, bound)
        bound.identified({ record, user, held: [record] })
      },
    },
  }
  return timeSteps(steps, rounds)
}
