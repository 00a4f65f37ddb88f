// Opens WebGL 2 for Frond alone: a canvas of its own, and on it an instance of tfjs's webgl backend, which keeps the
// textures. tfjs's flags, and the context that it keeps for other people's programs, are left as they were. Once a context
// is lost it stays so; opening again makes another.

import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import type { Availability } from "../api.ts";
import { DeviceLost } from "../losses.ts";
import { notLoaded } from "../misuse.ts";
import { drawToLayers } from "./bindings.ts";

type Tfjs = typeof import("@tensorflow/tfjs-core");
type TfjsWebGL = typeof import("@tensorflow/tfjs-backend-webgl");

export interface Context {
  readonly gl: WebGL2RenderingContext;
  readonly backend: MathBackendWebGL;
  /** tfjs's flags, which all of its backends share. */
  readonly flags: ReturnType<Tfjs["env"]>;
  /** For people: what draws. */
  readonly detail: string;
  /** Why nothing works any more; null as long as all is well. What waits for the device has to ask now and then. */
  lost(): DeviceLost | null;
}

export async function openContext(): Promise<Context | Extract<Availability, { available: false }>> {
  const gl = makeCanvas()?.getContext("webgl2", attributes) as WebGL2RenderingContext | null | undefined;
  if (gl === undefined)
    return { available: false, reason: "there is no canvas to draw on", remedy: "run in a browser" };
  if (gl === null) return { available: false, reason: "there is no WebGL 2 here", remedy };
  if (!rendersFloats(gl))
    return { available: false, reason: "its WebGL cannot draw float32 numbers", remedy: otherBackend };
  try {
    const tf = await import("@tensorflow/tfjs-core");
    const webgl = await import("@tensorflow/tfjs-backend-webgl");
    const detail = `tfjs-backend-webgl ${webgl.version_webgl}, ${rendererOf(gl)}`;
    return watched({ gl, detail, flags: tf.env(), backend: makeBackend(tf, webgl, gl) });
  } catch (error) {
    return notLoaded(error, ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-webgl"]);
  }
}

const otherBackend = "use the backend wasm";
const remedy = `switch on hardware acceleration in the browser's settings, or ${otherBackend}`;

/** Nothing is ever shown: draws go to textures. */
const attributes: WebGLContextAttributes = {
  alpha: false,
  antialias: false,
  depth: false,
  stencil: false,
  powerPreference: "high-performance",
};

/** On pages a canvas element: Safari's OffscreenCanvas has no fences. Null where there is neither. */
function makeCanvas(): HTMLCanvasElement | OffscreenCanvas | null {
  if (typeof document !== "undefined") return document.createElement("canvas");
  return typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(1, 1);
}

/** Whether float32 textures can be drawn into, four layers at once, and shaders compute with 24 bits. */
function rendersFloats(gl: WebGL2RenderingContext): boolean {
  if (gl.getExtension("EXT_color_buffer_float") === null) return false;
  const [texture, framebuffer] = [gl.createTexture(), gl.createFramebuffer()];
  gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA32F, 1, 1, 4);
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  drawToLayers(gl, texture);
  const complete = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
  gl.deleteFramebuffer(framebuffer);
  gl.deleteTexture(texture);
  const precision = gl.getShaderPrecisionFormat(gl.FRAGMENT_SHADER, gl.HIGH_FLOAT)?.precision ?? 0;
  return complete && precision >= 23;
}

/** Only where its plain name says nothing: to ask for more than that is frowned upon by Firefox. */
function rendererOf(gl: WebGL2RenderingContext): string {
  const plain = `${gl.getParameter(gl.RENDERER)}`;
  const names = plain === "WebKit WebGL" ? gl.getExtension("WEBGL_debug_renderer_info") : null;
  return names === null ? plain : `${gl.getParameter(names.UNMASKED_RENDERER_WEBGL)}`;
}

/**
 * tfjs's backend on our context. Its constructors ask flags that are found out, and kept for everybody, with a context of
 * tfjs's own; and they make ours the one that is taken for everybody's. Both are undone.
 */
function makeBackend(tf: Tfjs, webgl: TfjsWebGL, gl: WebGL2RenderingContext): MathBackendWebGL {
  const flags = tf.env().getFlags();
  const before = { ...flags };
  const theirs = tf.engine().registry.webgl as MathBackendWebGL | undefined;
  flags.WEBGL_VERSION = 2;
  flags.HAS_WEBGL = true;
  try {
    return new webgl.MathBackendWebGL(new webgl.GPGPUContext(gl as unknown as WebGLRenderingContext));
  } finally {
    for (const name of Object.keys(flags)) delete flags[name];
    Object.assign(flags, before);
    // Without one, tfjs makes another when it needs it.
    webgl.setWebGLContext(2, theirs?.gpgpu?.gl as WebGLRenderingContext);
  }
}

function watched(context: Omit<Context, "lost">): Context {
  const { gl } = context;
  let error: DeviceLost | null = null;
  const lose = (): DeviceLost => {
    error ??= new DeviceLost("webgl");
    return error;
  };
  gl.canvas.addEventListener("webglcontextlost", lose);
  // The event comes later than the loss.
  return { ...context, lost: () => error ?? (gl.isContextLost() ? lose() : null) };
}
