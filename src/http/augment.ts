/**
 * The types that Express' own packages share by global declaration. `User` is empty, for the application to
 * fill in, and `Request.user` is declared word for word as @types/passport does, so that both compile together.
 */
declare global {
  // oxlint-disable-next-line typescript/no-namespace
  namespace Express {
    interface User {}
    interface Request {
      /** Who is asking; `undefined` for a stranger. Set by `sessionMiddleware()`. */
      user?: User | undefined
    }
  }
}

export {}
