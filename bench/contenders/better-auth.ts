import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import type { Express } from 'express'
import type { Mount, Mounted, Setup } from '../lib/server.js'
import { connectPostgres, forgetPostgres } from '../lib/servers.js'
import { sendUser, userOf } from '../lib/users.js'

export const mount: Mount = (app, setup) => mountBetterAuth(app, setup, {})

export async function mountBetterAuth(app: Express, { tag }: Setup, session: object): Promise<Mounted> {
  const pool = await connectPostgres(tag, { options: `-c search_path=${tag}` })
  const auth = betterAuth({
    database: pool,
    secret: 'a secret of the benchmark, long enough to be one',
    baseURL: 'https://app.example.com',
    // Hashing a password takes a tenth of a second, and is no part of what is compared.
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text: string) => text, verify: async () => true },
    },
    session,
  })
  const migrations = await getMigrations(auth.options)
  await migrations.runMigrations()
  app.post('/login', async (req, res) => {
    const { id, name } = userOf(req.query.n)
    const body = { name, email: `${id}@example.com`, password: 'correct horse' }
    const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
    res.set('Set-Cookie', headers.getSetCookie()).json({ id })
  })
  app.get('/me', async (req, res) => {
    const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
    // Its ids are its own, so the number is read from the address.
    sendUser(res, found ? { id: found.user.email.slice(0, 4), name: found.user.name } : undefined)
  })
  return { close: () => forgetPostgres(pool, tag) }
}
