// GraphQL over HTTP: the resolvers get the request, and with it the user and the session.
import express, { type Request } from 'express'
import { createSessions, sessionMiddleware, SessionError, sessionOf, userOf } from 'express-sid'
import { buildSchema, GraphQLError } from 'graphql'
import { createHandler } from 'graphql-http/lib/use/express'

interface Context extends Record<PropertyKey, unknown> {
  readonly req: Request
}

const schema = buildSchema(`
  type User { id: ID! }
  type Session { id: ID!, current: Boolean! }
  type Query { me: User, sessions: [Session!]! }
  type Mutation { login(name: String!, password: String!): User, logout: Boolean! }
`)

const resolvers = {
  // For everybody: null for a stranger.
  me: (_: unknown, { req }: Context) => req.user,
  // For users alone: `userOf` throws UNAUTHENTICATED for a stranger.
  sessions: (_: unknown, { req }: Context) => userOf(req) && sessionOf(req).list(),
  async login({ name, password }: { name: string; password: string }, { req }: Context) {
    if (password !== 'tea') return null
    await sessionOf(req).login({ id: name }, { method: 'password' })
    return req.user
  },
  logout: (_: unknown, { req }: Context) => sessionOf(req).logout(),
}

/** Gives errors of the session their code. What went wrong inside is for the log, not for the client. */
function formatError(error: Readonly<GraphQLError | Error>): GraphQLError | Error {
  const cause = error instanceof GraphQLError ? error.originalError : error
  if (cause === undefined) return error
  const isKnown = cause instanceof SessionError && cause.status < 500
  if (!isKnown) console.error(cause)
  const { nodes, path } = error as GraphQLError
  return new GraphQLError(isKnown ? cause.message : 'Something went wrong.', {
    nodes,
    path,
    extensions: { code: isKnown ? cause.code : 'INTERNAL' },
  })
}

export const sessions = createSessions()
export const app = express()
app.use(sessionMiddleware(sessions))
app.all(
  '/graphql',
  createHandler<Context>({
    schema,
    rootValue: resolvers,
    context: ({ raw }) => ({ req: raw as Request }),
    formatError,
  }),
)
