#include "trial/image.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"

namespace tasker::trial {
namespace {

std::string TextAt(Elf* elf, std::size_t section, std::size_t offset) {
  const char* text = ::elf_strptr(elf, section, offset);
  return text == nullptr ? std::string() : std::string(text);
}

void AddPath(std::string_view path, std::vector<std::string>& entries) {
  while (true) {
    const std::size_t colon = path.find(':');
    entries.emplace_back(path.substr(0, colon));
    if (colon == std::string_view::npos) return;
    path.remove_prefix(colon + 1);
  }
}

void ReadDynamic(Elf* elf, const GElf_Shdr& header, Elf_Data* data, Image& image) {
  GElf_Dyn entry;
  for (int i = 0; ::gelf_getdyn(data, i, &entry) != nullptr && entry.d_tag != DT_NULL; ++i) {
    const auto flags = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_NEEDED:
        image.needed.push_back(TextAt(elf, header.sh_link, flags));
        break;
      case DT_RPATH:
      case DT_RUNPATH:
        AddPath(TextAt(elf, header.sh_link, flags), image.search_path);
        break;
      case DT_TEXTREL:
        image.text_relocations = true;
        break;
      case DT_BIND_NOW:
        image.bind_now = true;
        break;
      case DT_FLAGS:
        image.text_relocations |= (flags & DF_TEXTREL) != 0;
        image.static_tls |= (flags & DF_STATIC_TLS) != 0;
        image.bind_now |= (flags & DF_BIND_NOW) != 0;
        break;
      case DT_FLAGS_1:
        image.bind_now |= (flags & DF_1_NOW) != 0;
        break;
      default:
        break;
    }
  }
}

void ReadSymbols(Elf* elf, const GElf_Shdr& header, Elf_Data* data, Image& image) {
  GElf_Sym symbol;
  for (int i = 0; ::gelf_getsym(data, i, &symbol) != nullptr; ++i) {
    const auto binding = GELF_ST_BIND(symbol.st_info);
    const auto visibility = GELF_ST_VISIBILITY(symbol.st_other);
    const bool visible = visibility == STV_DEFAULT || visibility == STV_PROTECTED;
    if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL || !visible) continue;
    const std::string name = TextAt(elf, header.sh_link, symbol.st_name);
    image.exports.push_back(name);
    if (binding == STB_GNU_UNIQUE) image.unique.push_back(name);
  }
}

void ReadSegments(Elf* elf, Image& image) {
  std::size_t count = 0;
  if (::elf_getphdrnum(elf, &count) != 0) return;
  GElf_Phdr segment;
  for (std::size_t i = 0; i < count; ++i) {
    if (::gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) continue;
    if (segment.p_type == PT_GNU_RELRO) image.relro = true;
    if (segment.p_type == PT_GNU_STACK) image.executable_stack = (segment.p_flags & PF_X) != 0;
  }
}

}  // namespace

Result<Image> ReadImage(const std::string& file) {
  if (::elf_version(EV_CURRENT) == EV_NONE) return Internal("libelf is older than its header");
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Invalid(std::string("it cannot be read: ") + std::strerror(errno));
  const std::unique_ptr<Elf, decltype(&::elf_end)> elf(::elf_begin(fd.get(), ELF_C_READ, nullptr),
                                                       &::elf_end);
  if (elf == nullptr) return Invalid(std::string("it cannot be read: ") + ::elf_errmsg(-1));
  Image image;
  bool dynamic = false;
  ReadSegments(elf.get(), image);
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf.get(), section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type != SHT_DYNAMIC && header.sh_type != SHT_DYNSYM) continue;
    Elf_Data* const data = ::elf_getdata(section, nullptr);
    if (data == nullptr) return Invalid(std::string("it cannot be read: ") + ::elf_errmsg(-1));
    if (header.sh_type == SHT_DYNAMIC) {
      dynamic = true;
      ReadDynamic(elf.get(), header, data, image);
    } else {
      ReadSymbols(elf.get(), header, data, image);
    }
  }
  if (!dynamic) return Invalid("it has no dynamic section");
  return image;
}

}  // namespace tasker::trial
