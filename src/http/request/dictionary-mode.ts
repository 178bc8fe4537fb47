type Linked = { req?: unknown; res?: unknown }

/** From V8 13 on (Node 24), objects whose prototype was replaced share hidden classes like all others. */
const eachHasItsOwn = Number.parseInt(process.versions.v8, 10) < 13

/**
 * Makes a request and its response cheap for V8. Express replaces the prototype of both. Up to Node 22, each
 * property that is added to such an object makes a hidden class for it alone, so that nothing V8 has learnt from
 * one request serves the next: every read is a search, every new property another class. That is a third of
 * what a whole request costs, and more than all the rest of this middleware (docs/performance.md).
 *
 * An object that has lost a property is kept as a dictionary instead, which is cheap to read and to extend. So
 * the links that Express has made between the two are taken away, and put back as they were.
 */
export function useDictionaryMode(req: object, res: object): void {
  if (!eachHasItsOwn) return
  removeAndRestore(req, 'res')
  removeAndRestore(res, 'req')
}

function removeAndRestore(object: Linked, name: keyof Linked): void {
  const link = object[name]
  if (link === undefined) return
  delete object[name]
  object[name] = link
}
