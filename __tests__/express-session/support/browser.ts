/** A browser that keeps the cookies of each site, and follows redirects from one to another. */
export class Browser {
  readonly #jars = new Map<string, Map<string, string>>()

  /** Another browser with the same cookies: what a thief has. */
  copy(): Browser {
    const copy = new Browser()
    for (const [host, jar] of this.#jars) copy.#jars.set(host, new Map(jar))
    return copy
  }

  /** Follows every redirect, and returns the last response with its body. */
  async visit(
    address: string,
    options: { method?: string; body?: string; headers?: Record<string, string> } = {},
  ) {
    let url = new URL(address)
    for (let steps = 0; steps < 20; steps += 1) {
      const jar = this.#jarOf(url)
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const res: Response = await fetch(url, {
        redirect: 'manual',
        ...(steps === 0 ? options : {}),
        headers: { ...options.headers, cookie, connection: 'close' },
      })
      for (const line of res.headers.getSetCookie()) keep(jar, line)
      const location = res.headers.get('location')
      if (location === null)
        return { status: res.status, text: await res.text(), url: url.href, headers: res.headers }
      await res.arrayBuffer()
      url = new URL(location, url)
    }
    throw new Error('redirects without end')
  }

  #jarOf({ host }: URL): Map<string, string> {
    const jar = this.#jars.get(host) ?? new Map<string, string>()
    this.#jars.set(host, jar)
    return jar
  }
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair] = line.split(';')
  const at = pair!.indexOf('=')
  const isCleared = pair!.length === at + 1 || /expires=thu, 01 jan 1970/i.test(line)
  if (isCleared) jar.delete(pair!.slice(0, at))
  else jar.set(pair!.slice(0, at), pair!.slice(at + 1))
}
