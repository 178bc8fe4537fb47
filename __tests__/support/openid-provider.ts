import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nativeImport } from './native-import.cjs'

/** The parts of npm's `oidc-provider` that are used here. */
interface Provider {
  callback(): (req: IncomingMessage, res: ServerResponse) => void
  interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
  interactionFinished(req: IncomingMessage, res: ServerResponse, result: object): Promise<void>
  Client: { find(id: string): Promise<{ backchannelLogout(sub: string, sid: string): Promise<void> }> }
  Grant: new (of: object) => {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }
}
interface Interaction {
  readonly prompt: { readonly name: string }
  readonly params: { readonly client_id: string; readonly scope: string }
  readonly session?: { readonly accountId: string }
}

export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Makes a logout token of these claims, signed as the provider signs; with a secret, by that. */
  logoutToken(claims: object, secret?: string): Promise<string>
  /** Lets the provider tell the client that this user's session there has ended. */
  tellLogout(sub: string, sid: string): Promise<void>
  /** Who logs in there. `undefined`: the visitor does not want to. */
  visitor: string | undefined
  close(): void
}

/** A real OpenID provider in this process. Whoever is sent there is logged in without a form, and has consented. */
export async function startProvider(
  redirectUris: readonly string[],
  client: object = {},
): Promise<OpenIdProvider> {
  // It tells of each default that production should change.
  for (const level of ['warn', 'info'] as const)
    jest.spyOn(console, level).mockImplementation(() => undefined)
  const { Provider } = (await nativeImport('oidc-provider')) as {
    Provider: new (issuer: string, configuration: object) => Provider
  }
  const { keys, logoutToken } = await makeKeys()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const made: OpenIdProvider = {
    issuer,
    clientId: 'shop',
    clientSecret: 'shop-secret',
    visitor: 'ann',
    logoutToken: (claims, secret) =>
      logoutToken({ iss: issuer, aud: 'shop', iat: Math.floor(Date.now() / 1_000), ...claims }, secret),
    tellLogout: async (sub, sid) => (await provider.Client.find('shop')).backchannelLogout(sub, sid),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  const provider = new Provider(issuer, {
    clients: [
      { client_id: made.clientId, client_secret: made.clientSecret, redirect_uris: redirectUris, ...client },
    ],
    claims: { openid: ['sub'], profile: ['name'] },
    conformIdTokenClaims: false,
    findAccount: (_ctx: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Name of ${id}` }),
    }),
    jwks: { keys },
    cookies: { keys: ['test'] },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  })
  const callback = provider.callback()
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    if (!req.url!.startsWith('/interaction/')) return callback(req, res)
    void interact(provider, made.visitor, req, res)
  })
  return made
}

/** The parts of npm's `jose` that are used here. */
interface Jose {
  generateKeyPair(alg: string, options: object): Promise<{ privateKey: object }>
  exportJWK(key: object): Promise<object>
  SignJWT: new (claims: object) => {
    setProtectedHeader(header: object): { sign(key: object): Promise<string> }
  }
}

async function makeKeys() {
  const jose = (await nativeImport('jose')) as Jose
  const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true })
  const key = { ...(await jose.exportJWK(privateKey)), kid: 'test', alg: 'RS256', use: 'sig' }
  const logoutToken = async (claims: object, secret?: string) => {
    const header = { alg: secret === undefined ? 'RS256' : 'HS256', kid: 'test', typ: 'logout+jwt' }
    const signWith = secret === undefined ? privateKey : Buffer.from(secret)
    return new jose.SignJWT(claims).setProtectedHeader(header).sign(signWith)
  }
  return { keys: [key], logoutToken }
}

async function interact(
  provider: Provider,
  visitor: string | undefined,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(req, res)
  if (visitor === undefined) {
    const denied = { error: 'access_denied', error_description: 'The visitor has cancelled' }
    return provider.interactionFinished(req, res, denied)
  }
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: visitor } })
  }
  const grant = new provider.Grant({ accountId: session!.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } })
}

/** Goes through the provider's pages with a browser of its own, and returns the address that it leads back to. */
export async function passThrough(address: string): Promise<{ url: string; form?: Record<string, string> }> {
  const origin = new URL(address).origin
  const jar = new Map<string, string>()
  let url = address
  for (let steps = 0; steps < 10; steps += 1) {
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    const res = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html', connection: 'close' },
    })
    for (const line of res.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '') jar.delete(name!)
      else jar.set(name!, value!)
    }
    const location = res.headers.get('location')
    if (location === null) return fromForm(await res.text())
    url = new URL(location, url).href
    if (new URL(url).origin !== origin) return { url }
  }
  throw new Error(`the provider leads round in a circle at ${url}`)
}

/** With `response_mode=form_post` the provider's page is a form, which a script sends. */
function fromForm(html: string): { url: string; form: Record<string, string> } {
  const url = /<form[^>]* action="([^"]+)"/.exec(html)?.[1]
  if (url === undefined) throw new Error(`the provider shows no form: ${html}`)
  const fields = [...html.matchAll(/<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"/g)]
  return { url, form: Object.fromEntries(fields.map(([, name, value]) => [name!, value!])) }
}
