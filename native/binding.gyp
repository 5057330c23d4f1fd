{
  "targets": [
    {
      "target_name": "somaflow",
      "sources": [
        "bindings/addon.cc",
        "bindings/chain_binding.cc",
        "bindings/flood_binding.cc",
        "bindings/jobs.cc",
        "bindings/read_binding.cc",
        "bindings/synthetic_binding.cc",
        "chain/chain.cc",
        "chain/components.cc",
        "chain/detector.cc",
        "chain/equalize_stage.cc",
        "chain/flood.cc",
        "chain/fragments.cc",
        "chain/images.cc",
        "chain/maxima.cc",
        "chain/measures.cc",
        "chain/neighbours.cc",
        "chain/peaks.cc",
        "chain/pieces.cc",
        "chain/prominence.cc",
        "chain/ranks.cc",
        "chain/scan.cc",
        "chain/scratch.cc",
        "chain/spheres.cc",
        "chain/stages.cc",
        "chain/tissue.cc",
        "kernels/dog.cc",
        "kernels/equalize.cc",
        "kernels/illumination.cc",
        "kernels/opening.cc",
        "kernels/opening_plan.cc",
        "kernels/percentiles.cc",
        "kernels/rows.cc",
        "kernels/sample_axis.cc",
        "runtime/file_reader.cc",
        "runtime/pool.cc",
        "runtime/stored_values.cc",
        "runtime/synthetic.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "."],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden"],
      "cflags!": ["-O2"],
      "cflags_cc!": ["-fno-exceptions", "-std=gnu++17", "-O2"],
      "cflags_cc": ["-std=c++20", "-O3", "-fexceptions", "-ffp-contract=off", "-fno-math-errno"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-fno-math-errno"]
      }
    }
  ]
}
