/** A graphics card made of software, for tests: SwiftShader, which comes with Debian's Chromium, by the Vulkan loader. */
import { existsSync } from "node:fs";

const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
const loaders = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/aarch64-linux-gnu/libvulkan.so.1"];

/** Whether there is one. The engine looks for it when its first graph is compiled for a graphics card. */
export const hasSoftwareGpu: boolean = existsSync(driver) && loaders.some((path) => existsSync(path));

if (hasSoftwareGpu) process.env["VK_ICD_FILENAMES"] ??= driver;
