import './http/augment.js'

export { createSessions } from './http/create-sessions.js'
export { sessionMiddleware } from './http/middleware.js'
export { login } from './http/routes/login.js'
export { refuse } from './http/routes/refuse.js'
export { logout } from './http/routes/logout.js'
export { reauthenticate } from './http/routes/reauthenticate.js'
export { requireRecentLogin } from './http/routes/require-recent-login.js'
export { requireUser } from './http/routes/require-user.js'
export { sessionOf } from './http/request/session-of.js'
export { userOf } from './http/request/user-of.js'
export { sessionStatus } from './http/routes/session-status.js'
export { nistLifetimes } from './http/lifetime/nist.js'
export { backchannelLogout } from './http/providers/backchannel-logout.js'
export { fromPassport } from './http/providers/from-passport.js'
export { oauthState } from './http/providers/oauth-state.js'
export { authenticateUpgrade } from './http/upgrade.js'
export { memoryStore } from './stores/memory/index.js'
export { SessionError } from './errors.js'

export type { Capabilities, Health, Sessions } from './core/sessions.js'
export type { Duration, Refused, SessionOptions } from './http/options.js'
export type { DeviceBindingOptions } from './http/binding/options.js'
export type { LifetimeOf, SessionLifetime } from './http/lifetime/options.js'
export type { AdoptOptions, OldCookie, UserOfOldCookie } from './http/adopt/options.js'
export type { CookieOptions } from './http/cookie/options.js'
export type { LoginOptions, ProviderSessionOf } from './http/routes/login.js'
export type { Authenticate, LoginFailed, LoginFailure, LoginRedirect } from './http/routes/login-route.js'
export type { ReauthenticateRouteOptions } from './http/routes/reauthenticate.js'
export type { RequireRecentLoginOptions } from './http/routes/require-recent-login.js'
export type { BackchannelLogoutOptions, LogoutClaims } from './http/providers/backchannel-logout.js'
export type { PassportLike } from './http/providers/from-passport.js'
export type { OAuthState, OAuthStateOptions } from './http/providers/oauth-state.js'
export type { Refusal } from './http/routes/refuse.js'
export type { LogoutOptions } from './http/routes/logout.js'
export type { RequireUserOptions } from './http/routes/require-user.js'
export type { SessionStatus, SessionStatusOptions } from './http/routes/session-status.js'
export type {
  ReauthenticateOptions,
  RecentLogin,
  RequestSession,
  SessionLoginOptions,
} from './http/request/request-session.js'
export type { Upgraded, UpgradeOptions } from './http/upgrade.js'
export type {
  Actor,
  AnySessionEvent,
  EventCause,
  EventEnvelope,
  RequestEvent,
  SessionEvent,
  SessionEvents,
  StaleReason,
} from './core/events/types.js'
export type { AnonymousReason } from './core/reason.js'
export type { AddressPolicy } from './core/client/address.js'
export type { UserId } from './core/user/user-id.js'
export type { ClientChangePolicy, ReusePolicy, WhenFull } from './core/settings.js'
export type { Client, ClientChange } from './core/client/client.js'
export type { SessionErrorCode } from './errors.js'
export type {
  BoundBinding,
  DeviceKey,
  Json,
  JsonObject,
  OfferedBinding,
  ProofAlgorithm,
  ProvenMethod,
  RecordLifetime,
  RegisteredBinding,
  SessionBinding,
  SessionInfo,
  SessionRecord,
} from './record.js'
export type {
  EndsChannel,
  EndsListener,
  ListingStore,
  MaybePromise,
  OnRemoved,
  RecordPage,
  ScannableStore,
  SessionStore,
  UpdateResult,
} from './store.js'
export type { MemoryStoreOptions } from './stores/memory/index.js'
