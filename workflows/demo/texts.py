"""What people in the demonstration write when a form wants words."""

from __future__ import annotations

from workflows.demo.chance import Chance

SENTENCES = (
    "材料齐全，数据与统计报表一致，同意。",
    "经核对能源计量台账和监测报告，情况属实。",
    "企业管理制度健全，绿色化改造成效明显。",
    "现场查看生产线和污染防治设施，运行正常。",
    "近三年无安全、质量和环境事故记录。",
    "单位产品能耗优于行业先进值，具有示范作用。",
    "请按要求补充证明材料后再次提交。",
    "已按意见补充用水平衡测试报告和固废处置台账。",
    "主要指标计算过程清楚，引用标准为现行版本。",
    "建议加强可再生能源利用，其余符合要求。",
)


def sentence(chance: Chance) -> str:
    """One of the things officers write."""
    return chance.one_of(SENTENCES)
