import type { ServerResponse } from 'node:http'
import { canRespond } from './can-respond.js'

const named = {
  Cookie: /(?:^|[\s,])(?:cookie|\*)(?:$|[\s,])/i,
  Authorization: /(?:^|[\s,])(?:authorization|\*)(?:$|[\s,])/i,
}

/** A cache between us must not show one visitor's page to another. A socket has no response to say so. */
export function varyBy(name: keyof typeof named, res: ServerResponse): void {
  if (!canRespond(res)) return
  const vary = res.getHeader('Vary')
  if (vary === undefined) res.setHeader('Vary', name)
  else if (!named[name].test(String(vary))) res.setHeader('Vary', `${String(vary)}, ${name}`)
}
