// A password, then a passkey as the second factor. The session keeps both methods, each with its time.
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  type WebAuthnCredential,
} from '@simplewebauthn/server'
import express, { type Request, type RequestHandler } from 'express'
import { createSessions, login, reauthenticate, requireRecentLogin, requireUser } from 'express-sid'
import { sessionMiddleware, sessionOf, userOf } from 'express-sid'

/** Where the site is. A passkey works for this domain alone. */
export const site = { rpID: 'localhost', origin: 'http://localhost:3000' }

/** Stands for your database: the passkeys of each user. */
export const passkeys = new Map<string, WebAuthnCredential[]>()
const idOf = (req: Request): string => (userOf(req) as { id: string }).id
const passkeysOf = (req: Request): WebAuthnCredential[] => passkeys.get(idOf(req)) ?? []

/** A challenge counts once, in the session that it was made for. */
const takeChallenge = async (req: Request): Promise<string> =>
  (await sessionOf(req).take<string>('challenge')) ?? ''

const withPassword = requireRecentLogin({ within: '10m', methods: 'password' })
const withPasskey = requireRecentLogin({ within: '12h', methods: 'passkey' })

/** The first passkey needs the password alone. Each further one needs a passkey, or a thief's would do. */
const mayAddPasskey: RequestHandler = (req, res, next) =>
  (passkeysOf(req).length === 0 ? withPassword : withPasskey)(req, res, next)

/** The user whose passkey has signed the challenge, else nobody. */
async function verifyPasskey(req: Request): Promise<Express.User | undefined> {
  const expectedChallenge = await takeChallenge(req)
  const response = req.body as AuthenticationResponseJSON
  const credential = passkeysOf(req).find(({ id }) => id === response.id)
  if (credential === undefined) return undefined
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response,
    credential,
    expectedChallenge,
    expectedOrigin: site.origin,
    expectedRPID: site.rpID,
    requireUserVerification: false,
  }).catch(() => ({ verified: false, authenticationInfo: undefined }))
  if (!verified || !authenticationInfo) return undefined
  credential.counter = authenticationInfo.newCounter
  return userOf(req)
}

export const sessions = createSessions()
export const app = express()
app.use(express.json(), sessionMiddleware(sessions))
app.post(
  '/login',
  login(({ body }) => body.password === 'tea' && { id: String(body.name) }, { method: 'password' }),
)

// A passkey is added: options for the browser, then what it made of them.
app.post('/passkeys/options', requireUser(), mayAddPasskey, async (req, res) => {
  const options = await generateRegistrationOptions({
    rpID: site.rpID,
    rpName: 'Shop',
    userName: idOf(req),
    excludeCredentials: passkeysOf(req),
  })
  await sessionOf(req).set('challenge', options.challenge)
  res.json(options)
})
app.post('/passkeys', requireUser(), mayAddPasskey, async (req, res) => {
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: req.body as RegistrationResponseJSON,
    expectedChallenge: await takeChallenge(req),
    expectedOrigin: site.origin,
    expectedRPID: site.rpID,
    requireUserVerification: false,
  }).catch(() => ({ verified: false, registrationInfo: undefined }))
  if (verified && registrationInfo) {
    passkeys.set(idOf(req), [...passkeysOf(req), registrationInfo.credential])
  }
  res.sendStatus(verified ? 201 : 400)
})

// The second factor: the same two steps, and then the session is a new one that has both methods.
app.post('/confirm/options', requireUser(), async (req, res) => {
  const allowCredentials = passkeysOf(req)
  const options = await generateAuthenticationOptions({ rpID: site.rpID, allowCredentials })
  await sessionOf(req).set('challenge', options.challenge)
  res.json(options)
})
app.post('/confirm', reauthenticate(verifyPasskey, { method: 'passkey' }))

app.get('/account', requireUser(), withPasskey, (req, res) => void res.json(req.user))
