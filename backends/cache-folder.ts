// Where Frond keeps on this machine what may be deleted at any time: found tiles, TensorFlow's library. Plain text
// work without `node:` modules, for both the runtime, which fills these folders, and backends, which look into them.

export type Environment = Readonly<Record<string, string | undefined>>;

export interface User {
  readonly env: Environment;
  /** As `process.platform`. */
  readonly platform: string;
  /** The user's own folder; looked up only when it is needed: there may be none. */
  readonly home: () => string;
}

/** `frond` where the platform keeps caches. */
export function cacheFolder({ env, platform, home }: User): string {
  const separator = platform === "win32" ? "\\" : "/";
  const isAbsolute = (path: string): boolean =>
    platform === "win32" ? /^([a-z]:)?[\\/]/i.test(path) : path.startsWith("/");
  /** By the XDG Base Directory Specification, a relative path counts as none. */
  const folder = (given: string | undefined, ...usual: readonly string[]): string =>
    given !== undefined && isAbsolute(given) ? given : [home(), ...usual].join(separator);
  const caches =
    platform === "darwin"
      ? folder(undefined, "Library", "Caches")
      : platform === "win32"
        ? folder(env.LOCALAPPDATA, "AppData", "Local")
        : folder(env.XDG_CACHE_HOME, ".cache");
  return [caches, "frond"].join(separator);
}

/** What `frond setup native` fills: FROND_NATIVE, which may be relative, else a folder among the caches. */
export function nativeFolder(user: User): string {
  const given = user.env.FROND_NATIVE ?? "";
  if (given !== "") return given;
  return `${cacheFolder(user)}${user.platform === "win32" ? "\\" : "/"}native`;
}
