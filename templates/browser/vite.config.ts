import { defineConfig } from "vite";

export default defineConfig({
  // Its WebAssembly lies beside its modules, where Vite's own bundling of packages would not find it.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
});
