/** A cookie as a response sets it. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
}

/** Takes a `Set-Cookie` line apart, as RFC 6265bis §5.6 does. */
export function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';')
  const at = pair.indexOf('=')
  const attributes = rest.map((part) => {
    const [name = '', ...value] = part.split('=')
    return [name.trim().toLowerCase(), value.join('=').trim()] as const
  })
  return {
    name: pair.slice(0, at).trim(),
    value: pair.slice(at + 1).trim(),
    attributes: new Map(attributes),
  }
}

/** Whether the value is a token of this package: an id, a dot and 65 characters. */
export function isOurs({ value }: SetCookie): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[\w-]{65}$/.test(value)
}

/** Why a browser does not keep a cookie. */
export interface Refusal {
  readonly id: string
  readonly message: string
}

/** What a browser does with a cookie of a response from this address; `undefined` where it keeps it. RFC 6265bis §5.7. */
export function refusalOf({ name, attributes }: SetCookie, url: URL): Refusal | undefined {
  const isSecure = attributes.has('secure')
  const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase()
  const host = url.hostname.toLowerCase()
  if (isSecure && !isTrustworthy(url)) {
    return {
      id: 'secure-on-http',
      message:
        `The cookie ${name} is Secure, and the app is reached by plain http: browsers drop it. Serve the app by https. ` +
        `To serve plain http knowingly, set cookie: { secure: false }.`,
    }
  }
  if (domain !== undefined && domain !== '' && host !== domain && !host.endsWith(`.${domain}`)) {
    return {
      id: 'domain',
      message: `The cookie ${name} is for ${domain}, and the app is at ${host}: browsers drop it. Mend cookie.domain.`,
    }
  }
  const isHostPrefix = /^__host-/i.test(name)
  if (isHostPrefix && (!isSecure || domain || attributes.get('path') !== '/')) {
    return {
      id: 'host-prefix',
      message:
        `The name ${name} asks for Secure, for Path=/ and for no Domain: browsers drop the cookie. Something on the way ` +
        `changes it. Look for rules about cookies in the proxy.`,
    }
  }
  if (/^none$/i.test(attributes.get('samesite') ?? '') && !isSecure) {
    return {
      id: 'samesite-none',
      message: `The cookie ${name} has SameSite=None and is not Secure: browsers drop it.`,
    }
  }
  return undefined
}

/** Whether the browser sends the cookie with a request to this path: RFC 6265bis §5.1.4. */
export function coversPath({ attributes }: SetCookie, path: string): boolean {
  const scope = attributes.get('path') || '/'
  return path === scope || path.startsWith(scope.endsWith('/') ? scope : `${scope}/`)
}

/** https, or a host that browsers trust without: their own machine. */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])$/i.test(hostname)
}
