import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import { connectPostgres, forgetPostgres } from '../lib/servers.js'
import { answerWith, userOf } from '../lib/users.js'

export async function mount(app, { tag }, session = {}) {
  const pool = await connectPostgres(tag, { options: `-c search_path=${tag}` })
  const auth = betterAuth({
    database: pool,
    secret: 'a secret of the benchmark, long enough to be one',
    baseURL: 'https://app.example.com',
    // Hashing a password takes a tenth of a second, and is no part of what is compared.
    emailAndPassword: { enabled: true, password: { hash: async (text) => text, verify: async () => true } },
    session,
  })
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
  app.post('/login', async (req, res) => {
    const { id, name } = userOf(req.query.n)
    const body = { name, email: `${id}@example.com`, password: 'correct horse' }
    const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
    res.set('Set-Cookie', headers.getSetCookie()).json({ id })
  })
  app.use(async (req, res, next) => {
    const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
    req.user = found?.user
    next()
  })
  // Its ids are its own, so the number is read from the address.
  app.get('/me', (req, res) =>
    answerWith(res, req.user && { id: req.user.email.slice(0, 4), name: req.user.name }),
  )
  return { close: () => forgetPostgres(pool, tag) }
}
